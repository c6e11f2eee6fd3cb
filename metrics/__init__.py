"""What is measured: accuracy, diversity, exposure and the statistics that judge them."""
