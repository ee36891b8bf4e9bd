"""What every set of experts promises."""

import pytest
import torch
from torch import Tensor, nn

from moebench.testing.tokens import D, E, tokens


class ExpertsContract:
    """What every set of experts promises."""

    dtypes = (torch.float32, torch.float64, torch.bfloat16)

    def make(self, dim: int, num_experts: int) -> nn.Module:
        """Return the experts under test, of answers as wide as the token."""
        raise TypeError(f"{type(self).__name__}: override make")

    def answer(self, experts: nn.Module, x_RD: Tensor, counts: list[int]) -> Tensor:
        """Return the answers to rows grouped by these counts."""
        y_RD: Tensor = experts(x_RD, torch.tensor(counts))
        return y_RD

    @pytest.mark.parametrize("counts", [[3, 0, 7, 2], [0, 0, 0, 12], [12, 0, 0, 0], [3, 3, 3, 3]])
    def test_each_expert_answers_its_own_rows_only(self, counts: list[int]) -> None:
        """A row's answer depends on the row and its expert, not on its neighbours."""
        torch.manual_seed(0)
        experts, x_RD = self.make(D, E), tokens()
        together = self.answer(experts, x_RD, counts)
        row = 0
        for expert, count in enumerate(counts):
            for _ in range(count):
                alone = [int(other == expert) for other in range(E)]
                one = self.answer(experts, x_RD[row : row + 1], alone)
                torch.testing.assert_close(together[row : row + 1], one)
                row += 1

    def test_experts_differ(self) -> None:
        """Each has weights of its own."""
        torch.manual_seed(0)
        experts, x_RD = self.make(D, E), tokens(1)
        answers = [
            self.answer(experts, x_RD, [int(other == expert) for other in range(E)])
            for expert in range(E)
        ]
        assert not any(torch.equal(answers[0], other) for other in answers[1:])

    def test_no_rows_at_all(self) -> None:
        """An empty group of rows has an empty answer, and gradients of zero."""
        experts = self.make(D, E)
        answer = self.answer(experts, tokens()[:0], [0] * E)
        assert answer.shape == (0, D)
        answer.sum().backward()
        assert all(p.grad is None or not p.grad.any() for p in experts.parameters())

    def test_an_expanded_count_means_the_same(self) -> None:
        """Dispatchers with buffers hand over one number for all experts."""
        torch.manual_seed(0)
        experts, x_RD = self.make(D, E), tokens()
        expanded = experts(x_RD, torch.tensor(3).expand(E))
        torch.testing.assert_close(expanded, self.answer(experts, x_RD, [3] * E))

    def test_every_type(self) -> None:
        """Answers come in the type of the weights."""
        for dtype in self.dtypes:
            torch.manual_seed(0)
            experts = self.make(D, E).to(dtype)
            answer = self.answer(experts, tokens(dtype=dtype), [3, 0, 7, 2])
            assert answer.dtype == dtype
            exact = self.answer(experts.double(), tokens(dtype=dtype).double(), [3, 0, 7, 2])
            tolerance = 0.1 if dtype == torch.bfloat16 else 1e-5
            torch.testing.assert_close(answer.double(), exact, atol=tolerance, rtol=tolerance)

    def test_gradients(self) -> None:
        """Exact in float64; an expert without rows gets none."""
        torch.manual_seed(0)
        experts = self.make(D, E).double()
        x_RD = tokens(5, torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(lambda x: self.answer(experts, x, [2, 0, 2, 1]), x_RD)
        experts.zero_grad()
        self.answer(experts, x_RD, [2, 0, 2, 1]).square().sum().backward()
        for parameter in experts.parameters():
            assert parameter.grad is not None
            assert parameter.shape[0] == E, "weights of all experts are stacked"
            assert not parameter.grad[1].any()
            assert all(parameter.grad[expert].any() for expert in (0, 2, 3))
