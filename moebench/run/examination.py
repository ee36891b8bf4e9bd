"""The routing of a trained model, analysed at its last validation and recorded with the run."""

import logging
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from moebench.analysis import Instruments, Labels, count_tokens, experts_of, metrics
from moebench.data.contract import FOR_ANALYSIS, TextBatch, check_module

log = logging.getLogger(__name__)


class Examination(Callback):
    """Applies the instruments of `moebench.analysis` to the last validation of a run.

    History and record have their findings as `analysis/<layer>/<name>`, see
    `moebench.analysis.metrics`. Experts have the capacity of validation. Padded windows are
    skipped: the instruments compare neighbouring tokens of full ones.
    """

    def __init__(self) -> None:
        self.instruments: Instruments | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse data that cannot be analysed before they are trained on.

        Raises:
            ValueError: if they have no domains, and the model has a mixture.
        """
        if experts_of(pl_module):
            check_module(trainer.datamodule, FOR_ANALYSIS)  # type: ignore[attr-defined]

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set up the instruments if this is the last validation; a dense twin has no routing."""
        layers = experts_of(pl_module)
        if trainer.global_step < trainer.max_steps or not layers:
            return
        batches = list(trainer.val_dataloaders or [])
        if any(getattr(batch, "mask_BL", None) is not None for batch in batches):
            log.warning("the routing of padded windows is not analysed")
            return
        domain_S = torch.cat([batch.domain_B for batch in batches])
        data = trainer.datamodule  # type: ignore[attr-defined]
        windows = ((batch.input_BL.cpu(), batch.domain_B.cpu()) for batch in batches)
        self.instruments = Instruments(
            layers,
            Labels(domain_S.cpu(), data.domains),
            count_tokens(windows, data.vocabulary, len(data.domains)),
        )

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Analyse the decisions of a batch."""
        if self.instruments is not None:
            self.instruments.add(batch.input_BL, outputs["decisions"])
            shuffled_BL = self.instruments.shuffle(batch.input_BL)
            disordered = TextBatch(shuffled_BL, batch.target_BL, batch.context_BL, batch.domain_B)
            network: Any = pl_module.network
            with torch.random.fork_rng():
                output = network(disordered)
                self.instruments.add_shuffled(output.decisions, len(batch.input_BL))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the findings."""
        if self.instruments is not None:
            for logger in trainer.loggers:
                logger.log_metrics(metrics(self.instruments.findings()), step=trainer.global_step)
            self.instruments = None
