"""What strangers send is shown and never obeyed: through every way in, out by every way out."""
