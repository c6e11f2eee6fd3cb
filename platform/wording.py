"""The explainer that the settings ask for."""

from ..explain.writer import Explainer
from .llm import LLMSettings, build_language_model
from .settings import Settings


def make_explainer(settings: Settings) -> Explainer:
    """An explainer with the configured language model, or with templates alone.

    Raises:
        NotReady: The embedded model is asked for and not installed.
    """
    key = settings.model_api_key
    model = build_language_model(
        LLMSettings(
            kind=settings.model_kind,
            base_url=settings.model_base_url,
            api_key=key.get_secret_value() if key else None,
            model=settings.model_name,
            timeout=settings.model_timeout,
            threads=settings.model_threads,
            grammar=settings.model_grammar,
        )
    )
    return Explainer(model)
