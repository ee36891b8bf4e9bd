"""The claims that are not judged, and why.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961).
"""

from moebench.papers.claim import Claim

UNTESTED = [
    Claim(
        key="SW21-01t",
        says="With scarce capacity, one expert per token takes less time than two, both per step "
        "and to a given loss; with ample capacity, two take less time to a given loss",
        source="Table 1",
        paper_values={
            "top-1, hours": {"1.0": 62.8, "1.25": 65.0, "2.0": 72.8},
            "top-2, hours": {"1.0": 80.1, "1.25": 80.7, "2.0": 68.7},
        },
        matched_on="steps",
        level="gpu-preferred",
        because="Needs times on an accelerator, for which there are no runs yet.",
        out_of_reach=False,
    ),
    Claim(
        key="SW21-04",
        says="Training in bfloat16 diverges; with the router alone in float32 it is as good as "
        "float32 and as fast as bfloat16",
        source="Table 2",
        paper_values={"float32": 1.718, "bfloat16": 3.78, "selective": 1.716},
        matched_on="steps",
        level="gpu-preferred",
        because="Needs an accelerator and a scale at which bfloat16 is unstable: a small run "
        "without divergence would say nothing.",
    ),
    Claim(
        key="SW21-06",
        says="Fine-tuning works best with little dropout outside the experts and a lot inside",
        source="Table 4",
        paper_values={"GLUE 0.1": 84.7, "GLUE 0.3": 83.9, "GLUE 0.1, experts 0.4": 85.2},
        matched_on="active_flops",
        because="Needs fine-tuning tasks, which the suite does not have yet.",
        out_of_reach=False,
    ),
    Claim(
        key="SW21-16",
        says="A dense student keeps about 30% of its sparse teacher's gain",
        source="Tables 6 and 7",
        paper_values={"kept %": (37, 32, 30, 27, 28)},
        matched_on=None,
        because="Needs distillation, which the suite does not have yet.",
        out_of_reach=False,
    ),
    Claim(
        key="SW21-17",
        says="With equal FLOPs the sparse model wins on most fine-tuning tasks, but not on ARC",
        source="Table 5",
        paper_values={"SuperGLUE": (79.5, 75.1), "ARC challenge": (32.8, 35.5)},
        matched_on="active_flops",
        level="not-testable-here",
        because="Needs pre-training at scale and fine-tuning tasks, which the suite does not have.",
    ),
    Claim(
        key="SW21-19",
        version=2,  # it was judged by runs in bfloat16, which diverge according to the paper
        says="In float32, experts in attention help, and more so together with experts in the "
        "feed-forward blocks; in bfloat16 training diverges",
        source="Appendix A",
        paper_values={"feed-forward": 1.548, "attention": 1.524, "both": 1.513},
        matched_on="steps",
        because="Needs runs in float32: the existing runs were trained in bfloat16, in which "
        "these experts fail according to the paper.",
        out_of_reach=False,
    ),
]
