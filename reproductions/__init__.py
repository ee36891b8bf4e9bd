"""Papers as data: their claims, the runs that judge them, the differences, the evidence."""
