"""Claims of section 1 on three errors: cooperative (1.1), competitive (1.2), likelihood (1.3)."""

from functools import partial

from moebench.papers.claim import Claim
from moebench.verdict.exact import Exact
from reproductions.jacobs_1991.arms import CODINGS, ONE_ORDER, SAME, arm, trained
from reproductions.jacobs_1991.choices import under
from reproductions.jacobs_1991.controls import NO_NULL
from reproductions.jacobs_1991.judging import Bound, FewerEpochs, Pair, TwoMeans, WithinBounds
from reproductions.jacobs_1991.trials import BEST

arithmetic = partial(Claim, matched_on=None, seeds=1, level="arithmetic")
EXCLUSIVE = ("four_competitive", "four_experts")  # trained by errors 1.2 and 1.3
ERROR_CLAIMS = [
    arithmetic(
        key="J91-09",
        says="While all experts are poor, the competitive error (1.2) adapts the best one slowest "
        "and the likelihood error (1.3) adapts it fastest",
        source="section 1, below equations 1.2 and 1.3",
        paper_values={},
        test=Exact(
            arm="adaptation",
            equals={"competitive/best_is_slowest": 1.0, "likelihood/best_is_fastest": 1.0},
            metric="likelihood/best_is_fastest",
            unit="share of draws",
        ),
    ),
    trained(
        key="J91-10",
        version=2,  # both codings are judged, and neither takes precedence
        says="The likelihood error (1.3) performs better than the competitive error (1.2)",
        source="section 1",
        paper_values={},
        test=FewerEpochs(
            under=under(Pair("four_experts", "four_competitive"), filed=False), rules=(BEST,)
        ),
        matched_on="total_params",
        caution=f'"performs better" is taken to mean "needs fewer epochs"; {ONE_ORDER}',
        uncontrolled=NO_NULL,
    ),
    trained(
        key="J91-11",
        version=3,  # the paper also says it of the competitive error, which was missing
        says="The cooperative error (1.1) uses more experts per case than the competitive and the "
        "likelihood error (1.2 and 1.3)",
        source="section 1",
        paper_values={},
        test=TwoMeans(
            quantity="effective",
            direction="higher",
            margin=1.0,  # experts are counted, so the smallest difference is one
            under=under(*(Pair("four_cooperative", one) for one in EXCLUSIVE), filed=False),
            rules=(BEST,),
            metric=f"step_{SAME:g}/effective",
            unit="experts per case",
        ),
        matched_on="total_params",
        caution=f"the margin was set after these runs; {ONE_ORDER}",
        uncontrolled="there is no mixture known to use two experts per case",
    ),
    trained(
        key="J91-11a",
        late=True,
        says="With the competitive and the likelihood error (1.2 and 1.3), one expert handles each "
        "case",
        source="section 1",
        paper_values={"experts per case": 1},
        test=WithinBounds(
            quantity="effective",
            under={
                coding: tuple(Bound(arm(one, coding), high=1.5) for one in EXCLUSIVE)
                for coding in CODINGS
            },
            metric=f"step_{SAME:g}/effective",
            unit="experts per case",
        ),
        matched_on=None,
        caution=f"the limit of 1.5, below which a number rounds to one, was set after these runs; "
        f"{ONE_ORDER}",
        uncontrolled="no trained mixture is known to use several experts per case",
    ),
    arithmetic(
        key="J91-11c",
        says="The cooperative error couples the experts: the gradient of one depends on the "
        "outputs of the others; under the competitive error it does not",
        source="section 1",
        paper_values={},
        test=Exact(
            arm="gradients",
            metric="cooperative/coupling",
            unit="change of the gradient",
            equals={"competitive/coupling": 0.0},
            at_least={"cooperative/coupling": 1e-3},
        ),
    ),
    arithmetic(
        key="J91-12",
        says="The gradient of the competitive error with respect to an expert's output is "
        "-2 p_i (d - o_i)",
        source="section 1, below equation 1.2",
        paper_values={"gradient": "-2 p_i (d - o_i)"},
        test=Exact(
            arm="gradients",
            equals={"competitive/over_formula": 1.0, "competitive/deviation": 0.0},
            tolerance=1e-10,
            unit="times the formula",
        ),
    ),
]
