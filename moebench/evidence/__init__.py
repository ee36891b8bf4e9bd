"""Evidence: the records that runs leave in files; needs no torch."""
