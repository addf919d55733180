"""What commands about images share: names, pulls, progress of registries and archives."""
