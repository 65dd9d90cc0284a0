"""The servers of peers that are libraries, each as its own documentation shows it."""
