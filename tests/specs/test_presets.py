"""The presets."""

import itertools

import pytest

from bnlab.specs.diff import confounded_settings, differing_settings
from bnlab.specs.presets import PRESETS, Preset
from bnlab.specs.run_spec import RunSpec
from tests.old_store import DESCRIPTION


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_preset_is_described(preset: Preset) -> None:
    assert preset.title
    assert preset.description.endswith(".")
    assert len(preset.variants) >= 2


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_variants_have_different_labels_and_specs(preset: Preset) -> None:
    assert len({v.label for v in preset.variants}) == len(preset.variants)
    assert len({v.spec.digest for v in preset.variants}) == len(preset.variants)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_variants_share_seed_and_data(preset: Preset) -> None:
    shared = ("seed", "dataset", "train_examples", "validation")
    assert len({tuple(getattr(v.spec, name) for name in shared) for v in preset.variants}) == 1


def test_questions_are_different_and_say_where_to_look() -> None:
    asking = [preset for preset in PRESETS.values() if preset.question]
    assert len({preset.question for preset in asking}) == len(asking) == 6
    for preset in asking:
        assert preset.question.endswith("?")
        assert preset.look_at.endswith(".")


@pytest.mark.parametrize("preset", [p for p in PRESETS.values() if p.asks_about], ids=lambda p: p.question)
def test_variants_differ_in_the_field_that_is_asked_about_alone(preset: Preset) -> None:
    specs = {variant.label: variant.spec for variant in preset.variants}
    assert confounded_settings(specs) == []
    differing = [differing_settings(specs, a, b) for a, b in itertools.combinations(specs, 2)]
    assert [RunSpec.model_fields[preset.asks_about or ""].title] in differing


def test_networks_of_the_notebook() -> None:
    baseline = {"activation": "leaky_relu", "kernel_initializer": "he_normal"}
    after = {"placement": "after_activation", "input_normalization": True, "kernel_initializer": "he_normal"}
    assert [(v.label, v.spec) for v in PRESETS["notebook"].variants] == [
        ("Baseline", RunSpec(**baseline)),
        ("Approach 1 (as printed)", RunSpec(**after, activation="linear")),
        ("Approach 1 (as described)", RunSpec(**after, activation="leaky_relu")),
        ("Approach 2", RunSpec(placement="before_activation", input_normalization=True, use_bias=False)),
    ]


def test_training_of_the_notebook() -> None:
    for variant in PRESETS["notebook"].variants:
        spec = variant.spec
        assert (spec.optimizer, spec.learning_rate, spec.batch_size, spec.epochs) == ("sgd", 0.01, 32, 10)
        assert (spec.momentum, spec.epsilon, spec.hidden_units) == (0.99, 0.001, (300, 100))
        assert (spec.rescale, spec.validation, spec.seed) == ("unit", "test", 0)


@pytest.mark.parametrize("name", DESCRIPTION["presets"])
def test_digests_are_those_of_version_0_1(name: str) -> None:
    specs = PRESETS[name].comparison.with_seeds(2).specs()
    digests = {label: [spec.digest for spec in seed_specs] for label, seed_specs in specs.items()}
    assert digests == DESCRIPTION["presets"][name]
