"""Names that Markdown, HTML, Streamlit or Plotly would interpret, and a comparison of variants with these names."""

from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.run_spec import RunSpec

HOSTILE_NAMES = (
    "![i](http://127.0.0.1:8899/p.png)",
    "**b** __u__ _i_ # h",
    ":smile: :material/home: :red[x]",
    "$x$ $$y$$",
    "->",
    "http://x.y www.x.y a@b.cd",
    "<b>x</b><img src=https://x.y/i>",
    "![a](https://x.y/l) `code` &amp; 1. \\",
)
COMPARISON = Comparison(
    tuple(
        Variant(name, RunSpec(seed=index, placement="before_activation", hidden_units=(4,), train_examples=64), index)
        for index, name in enumerate(HOSTILE_NAMES)
    )
)
