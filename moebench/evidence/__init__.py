"""Evidence: what runs leave behind, as records in files; needs no torch."""
