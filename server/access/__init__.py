"""Who may come in, and what they may do: tokens, roles, sanctions, rules of rooms."""
