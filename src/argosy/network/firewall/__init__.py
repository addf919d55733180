"""The host's packet rules: `rules` and `foreign` decide what they should be (pure), `table` makes it so and keeps it so."""
