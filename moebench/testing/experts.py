"""What every set of experts promises."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from moebench.testing.tokens import D, E, tokens


class ExpertsContract:
    """What every set of experts promises."""

    dtypes = (torch.float32, torch.float64, torch.bfloat16)

    def make(self, dim: int, num_experts: int) -> nn.Module:
        """Return the experts under test, whose outputs are as wide as the tokens."""
        raise TypeError(f"{type(self).__name__}: override make")

    def answer(self, experts: nn.Module, x_RD: Tensor, counts: list[int]) -> Tensor:
        """Return the outputs for rows grouped by these counts."""
        y_RD: Tensor = experts(x_RD, torch.tensor(counts))
        return y_RD

    @pytest.mark.parametrize("counts", [[3, 0, 7, 2], [0, 0, 0, 12], [12, 0, 0, 0], [3, 3, 3, 3]])
    def test_each_expert_answers_its_own_rows_only(self, counts: list[int]) -> None:
        """A row's output depends on the row and its expert, not on other rows."""
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
        """Each has its own weights."""
        torch.manual_seed(0)
        experts, x_RD = self.make(D, E), tokens(1)
        answers = [
            self.answer(experts, x_RD, [int(other == expert) for other in range(E)])
            for expert in range(E)
        ]
        assert not any(torch.equal(answers[0], other) for other in answers[1:])

    def test_no_rows_at_all(self) -> None:
        """An empty group of rows has an empty output and zero gradients."""
        experts = self.make(D, E)
        answer = self.answer(experts, tokens()[:0], [0] * E)
        assert answer.shape == (0, D)
        answer.sum().backward()
        assert all(p.grad is None or not p.grad.any() for p in experts.parameters())

    def test_an_expanded_count_means_the_same(self) -> None:
        """Dispatchers with buffers pass one count, expanded to all experts."""
        torch.manual_seed(0)
        experts, x_RD = self.make(D, E), tokens()
        expanded = experts(x_RD, torch.tensor(3).expand(E))
        torch.testing.assert_close(expanded, self.answer(experts, x_RD, [3] * E))

    def test_every_type(self) -> None:
        """Outputs and gradients have the weights' type, and both match float64."""
        for dtype in self.dtypes:
            torch.manual_seed(0)
            experts = self.make(D, E).to(dtype)
            found = self.answer_and_gradients(experts, tokens(dtype=dtype))
            assert all(part.dtype == dtype for part in found)
            exact = self.answer_and_gradients(experts.double(), tokens(dtype=dtype).double())
            tolerance = 0.1 if dtype == torch.bfloat16 else 1e-5
            for part, expected in zip(found, exact, strict=True):
                torch.testing.assert_close(part.double(), expected, atol=tolerance, rtol=tolerance)

    def answer_and_gradients(self, experts: nn.Module, x_RD: Tensor) -> list[Tensor]:
        """Return the outputs, and the gradients of their sum by rows and weights."""
        x_RD = x_RD.clone().requires_grad_()
        y_RD = self.answer(experts, x_RD, [3, 0, 7, 2])
        return [y_RD, *torch.autograd.grad(y_RD.sum(), [x_RD, *experts.parameters()])]

    def test_gradients_are_exact(self) -> None:
        """With respect to the rows and every weight, in float64."""
        torch.manual_seed(0)
        experts = self.make(D, E).double()
        names = [name for name, _ in experts.named_parameters()]

        def answer(x_RD: Tensor, *weights: Tensor) -> Tensor:
            arguments = (x_RD, torch.tensor([2, 0, 2, 1]))
            y_RD: Tensor = functional_call(
                experts, dict(zip(names, weights, strict=True)), arguments
            )
            return y_RD

        x_RD = tokens(5, torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(answer, (x_RD, *experts.parameters()))

    def test_weights_are_stacked_and_idle_experts_left_alone(self) -> None:
        """One expert per index of the first axis; an expert without rows gets zero gradient."""
        torch.manual_seed(0)
        experts = self.make(D, E)
        self.answer(experts, tokens(5), [2, 0, 2, 1]).square().sum().backward()
        for parameter in experts.parameters():
            assert parameter.shape[0] == E
            assert parameter.grad is not None
            assert not parameter.grad[1].any()
            assert all(parameter.grad[expert].any() for expert in (0, 2, 3))

    def test_a_single_expert(self) -> None:
        """E = 1 is a dense block, whether the count is a list or expanded."""
        experts, x_RD = self.make(D, 1), tokens()
        answer = self.answer(experts, x_RD, [len(x_RD)])
        assert answer.shape == x_RD.shape
        torch.testing.assert_close(experts(x_RD, torch.tensor(len(x_RD)).expand(1)), answer)

    def test_rows_need_not_be_contiguous(self) -> None:
        """A slice of a larger tensor gives the same result as its copy."""
        experts, x_RD = self.make(D, E), tokens()
        slice_RD = torch.cat([x_RD[:, :1], x_RD], dim=1)[:, 1:]
        expected = self.answer(experts, x_RD, [3, 0, 7, 2])
        torch.testing.assert_close(self.answer(experts, slice_RD, [3, 0, 7, 2]), expected)
