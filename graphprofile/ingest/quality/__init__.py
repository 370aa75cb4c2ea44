"""What the rows of a batch look like: gathered on the way in, kept with the batch, held against thresholds."""
