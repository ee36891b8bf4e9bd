"""The contract test of data modules."""

from itertools import islice
from typing import Any

import torch
from torch import Tensor

from moebench.data.contract import (
    CONTRACT,
    UNSCORED,
    TextBatch,
    check_batch,
    check_module,
    loader_of,
)


def assert_same_batches(first: list[Any], second: list[Any]) -> None:
    """Assert that batches, whose parts are tensors or None, are equal bit for bit."""
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for part, same in zip(_parts(one), _parts(other), strict=True):
            alike = torch.equal(part, same) if isinstance(part, Tensor) else part is same
            assert alike, f"equal seeds must give equal batches, see {CONTRACT}"


def _parts(batch: Any) -> list[Any]:
    return list(batch) if isinstance(batch, tuple) else list(vars(batch).values())


class DatasetContract:
    """What every data module promises; a module of tokens has a `vocabulary` and promises more."""

    def make(self, seed: int) -> Any:
        """Return the data module under test with this seed; its other arguments never vary."""
        raise TypeError(f"{type(self).__name__}: override make")

    def ready(self, seed: int = 0) -> Any:
        """Return the module after setup."""
        data = self.make(seed)
        data.prepare_data()
        data.setup("fit")
        return data

    def batches(self, data: Any, count: int = 3) -> list[Any]:
        """Return the first training batches."""
        return list(islice(data.train_dataloader(), count))

    def of_tokens(self, data: Any) -> list[Any]:
        """Return a training and a validation batch; none if the data are not tokens."""
        if not hasattr(data, "vocabulary"):
            return []
        return [next(iter(data.train_dataloader())), next(iter(data.val_dataloader()))]

    def test_nothing_is_missing(self) -> None:
        """The module and its batches have every part, with the right types and shapes."""
        data = self.ready()
        check_module(data)
        for name in ("train_dataloader", "val_dataloader"):
            loader_of(data, name)
        assert len(data.content_hash) >= 8
        assert data.tokens_per_batch > 0
        assert self.batches(data, 1)
        for batch in self.of_tokens(data):
            check_batch(batch)

    def test_equal_seeds_give_equal_batches(self) -> None:
        """The content hash is the same for every seed."""
        first, same, other = self.ready(0), self.ready(0), self.ready(1)
        assert first.content_hash == same.content_hash == other.content_hash, f"see {CONTRACT}"
        assert_same_batches(self.batches(first), self.batches(same))

    def test_a_loader_continues_where_it_was_saved(self) -> None:
        """If it can be saved, no batch is repeated or skipped."""
        data = self.ready()
        loader = data.train_dataloader()
        if not (hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")):
            return
        list(islice(loader, 1))
        resumed = self.ready().train_dataloader()
        resumed.load_state_dict(loader.state_dict())
        assert_same_batches(list(islice(resumed, 1)), self.batches(data, 2)[1:])

    def test_validation_of_tokens_is_the_same_for_every_seed(self) -> None:
        """So that models with different seeds are compared on the same text."""
        first, other = self.ready(0), self.ready(1)
        if self.of_tokens(first):
            assert_same_batches(list(first.val_dataloader()), list(other.val_dataloader()))

    def test_every_validation_of_tokens_has_the_same_batches(self) -> None:
        """A run validates again and again, always with one loader."""
        data = self.ready()
        if self.of_tokens(data):
            loader = data.val_dataloader()
            assert_same_batches(list(loader), list(loader))

    def test_ids_lie_in_the_vocabulary(self) -> None:
        """So do scored targets, and there are some."""
        data = self.ready()
        for batch in self.of_tokens(data):
            scored_T = batch.target_BL[batch.target_BL != UNSCORED]
            assert scored_T.numel(), f"nothing is scored, see {CONTRACT}"
            for ids in (batch.input_BL, batch.context_BL, scored_T):
                if ids is not None:
                    low, high = int(ids.min()), int(ids.max())
                    assert 0 <= low <= high < data.vocabulary, f"see {CONTRACT}"

    def test_a_full_batch_has_the_promised_number_of_tokens(self) -> None:
        """Counts those that the encoder reads, if there is one."""
        data = self.ready()
        for batch in self.of_tokens(data)[:1]:
            read = batch.input_BL if batch.context_BL is None else batch.context_BL
            assert data.tokens_per_batch == read.numel(), f"see {CONTRACT}"

    def test_masks_and_domains_belong_to_their_tokens(self) -> None:
        """If there are any: padding has no target, and domains have names."""
        data = self.ready()
        for batch in self.of_tokens(data):
            parts: dict[str, Any] = {name: getattr(batch, name, None) for name in TextBatch._fields}
            for ids, mask in (("input_BL", "mask_BL"), ("context_BL", "context_mask_BL")):
                if parts[mask] is not None:
                    assert parts[mask].dtype == torch.bool, f"{mask}, see {CONTRACT}"
                    assert parts[mask].shape == parts[ids].shape, f"{mask}, see {CONTRACT}"
            if parts["mask_BL"] is not None:
                assert (parts["target_BL"][~parts["mask_BL"]] == UNSCORED).all(), f"see {CONTRACT}"
            if parts["domain_B"] is not None and hasattr(data, "domains"):
                assert parts["domain_B"].shape == (len(batch.input_BL),), f"see {CONTRACT}"
                assert int(parts["domain_B"].max()) < len(data.domains), f"see {CONTRACT}"
