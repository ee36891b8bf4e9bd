"""The claims that functions of arithmetic.py judge: no runs, no seeds, no interval.

Source: Shazeer et al. 2017 (arXiv 1701.06538).
"""

from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.exact import Exact

EXACT: dict[str, Any] = {"matched_on": None, "seeds": 1}

OF_FUNCTIONS = [
    Claim(
        key="S17-04",
        says="The smooth load estimator is the chance that an expert stays in the top k when only "
        "its own noise is drawn again",
        source="Appendix A, equations 8 to 10",
        paper_values={"formula": "Phi((clean - kth of the others) / softplus(noise))"},
        test=Exact(arm="load_estimator", at_most={"largest gap": 0.01}, unit="probability"),
        level="arithmetic",
        **EXACT,
    ),
    Claim(
        key="S17-05",
        version=2,  # the distance itself is printed, and the other start is a control by itself
        says="Starting both gate matrices at zero gives near-equal load at the first step",
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
        says="Null control: gate matrices drawn from N(0, 1) give no near-equal load",
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
        says="The largest model of low cost is 24% below the matched baseline in perplexity",
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
        says="The model of highest cost is 18% below the best published one after 10 epochs",
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
        version=2,  # says what the paper does, and is judged in the paper's gate alone
        says="If more than one expert is active, the gate gets a gradient from the task; with a "
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
        version=2,  # of five trainings the worst, not a single one
        says="Batch-wise masks give every expert exactly as many cases, and learnt thresholds come "
        "to agree with them",
        source="Appendix F",
        paper_values={"m": "k|X|/n"},
        test=Exact(
            arm="batchwise_mask",
            equals={"variance of the load": 0.0},
            at_least={"disagreement, first over last": 2.0},
            metric="disagreement, first over last",
            unit="times less disagreement",
        ),
        uncontrolled="no positive control: of no other gate are the thresholds known to be learnt",
        level="mechanism-cpu",
        **EXACT,
    ),
    Claim(
        key="S17-15n",
        says="Null control: thresholds of a gate that learns nothing come to agree with the masks",
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
