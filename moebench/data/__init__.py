"""Data sets, each a LightningDataModule that meets `moebench.data.contract`."""
