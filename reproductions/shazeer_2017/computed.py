"""The claims judged by functions in arithmetic.py: no runs, no seeds, no interval.

Source: Shazeer et al. 2017 (arXiv 1701.06538).
"""

from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.exact import Exact

EXACT: dict[str, Any] = {"matched_on": None, "seeds": 1}

OF_FUNCTIONS = [
    Claim(
        key="S17-04",
        says="The smooth load estimator is the probability that an expert stays in the top k when "
        "only its own noise is redrawn",
        source="Appendix A, equations 8 to 10",
        paper_values={"formula": "Phi((clean - kth of the others) / softplus(noise))"},
        test=Exact(arm="load_estimator", at_most={"largest gap": 0.01}, unit="probability"),
        level="arithmetic",
        **EXACT,
    ),
    Claim(
        key="S17-05",
        version=2,  # prints the distance itself, and the other initialisation is a control
        says="Initialising both gate matrices to zero gives nearly equal load at the first step",
        source="Appendix A",
        paper_values={"W_g": 0, "W_noise": 0},
        test=Exact(
            arm="first_step",
            at_most={"standard errors off the lot": 2.0},
            unit="standard errors",
        ),
        level="mechanism-cpu",
        **EXACT,
    ),
    Claim(
        key="S17-05n",
        says="Null control: gate matrices drawn from N(0, 1) do not give nearly equal load",
        source="none; a control of S17-05",
        paper_values={},
        test=Exact(
            arm="first_step_normal",
            at_most={"standard errors off the lot": 2.0},
            unit="standard errors",
        ),
        control_of="S17-05",
        expects="no effect",
        level="mechanism-cpu",
        **EXACT,
    ),
    Claim(
        key="S17-08",
        says="The largest low-cost model has 24% lower perplexity than the matched baseline",
        source="Section 5.1",
        paper_values={"claimed": 24, "MoE-4": 45.0, "MoE-4096-h": 34.1},
        test=Exact(
            arm="published", equals={"low cost, % lower": 24.0}, tolerance=0.5, unit="per cent"
        ),
        level="arithmetic",
        **EXACT,
    ),
    Claim(
        key="S17-09",
        says="The highest-cost model has 18% lower perplexity than the best published one after 10 "
        "epochs",
        source="Appendix C.2",
        paper_values={"claimed": 18, "MoE-143M": 28.0, "best published": 34.7},
        test=Exact(
            arm="published", equals={"high cost, % lower": 18.0}, tolerance=0.5, unit="per cent"
        ),
        level="arithmetic",
        **EXACT,
    ),
    Claim(
        key="S17-14",
        version=2,  # now says what the paper says, and is judged only with the paper's gate
        says="With more than one active expert the gate gets a gradient from the task; with a "
        "single one it gets none",
        source="Section 2.1",
        paper_values={"k": "> 1"},
        test=Exact(
            arm="gate_gradient",
            equals={"after the choice, k = 1": 0.0},
            at_least={"after the choice, k = 2": 1e-3},
            unit="norm of the gradient",
        ),
        level="mechanism-cpu",
        **EXACT,
    ),
    Claim(
        key="S17-14s",
        says="A softmax before the choice gives the gate a gradient with a single active expert, "
        "too",
        source="none; where the statement of S17-14 ends",
        paper_values={},
        test=Exact(
            arm="gate_gradient",
            at_least={"before the choice, k = 1": 1e-3},
            unit="norm of the gradient",
        ),
        ours=True,
        level="mechanism-cpu",
        **EXACT,
    ),
    Claim(
        key="S17-15",
        version=2,  # the worst of five training runs, not a single one
        says="Batchwise masks give every expert exactly the same number of cases, and learned "
        "thresholds come to agree with them",
        source="Appendix F",
        paper_values={"m": "k|X|/n"},
        test=Exact(
            arm="batchwise_mask",
            equals={"variance of the load": 0.0},
            at_least={"disagreement, first over last": 2.0},
            metric="disagreement, first over last",
            unit="times less disagreement",
        ),
        uncontrolled="no other gate is known to learn its thresholds",
        level="mechanism-cpu",
        **EXACT,
    ),
    Claim(
        key="S17-15n",
        says="Null control: thresholds that are not learned come to agree with the masks",
        source="none; a control of S17-15",
        paper_values={},
        test=Exact(
            arm="batchwise_mask_unlearnt",
            equals={"variance of the load": 0.0},
            at_least={"disagreement, first over last": 2.0},
            metric="disagreement, first over last",
            unit="times less disagreement",
        ),
        control_of="S17-15",
        expects="no effect",
        level="mechanism-cpu",
        **EXACT,
    ),
]
