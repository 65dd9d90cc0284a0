"""Push servers to measure, each with its own ways in and out; one file for each."""
