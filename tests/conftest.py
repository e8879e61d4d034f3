"""Property tests take the same examples every time, so that a failure is nobody's bad luck."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "bnlab", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bnlab")
