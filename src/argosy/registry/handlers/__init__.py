"""One noun of the distribution specification a file: what a request means for the files, and the answer."""
