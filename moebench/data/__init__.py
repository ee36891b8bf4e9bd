"""Data sets, each a LightningDataModule that keeps `moebench.data.contract`."""
