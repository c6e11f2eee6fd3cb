"""``python -m fairloop``: the command line."""

from .platform.cli.main import main

if __name__ == "__main__":
    main()
