from tests.one_thread import one_thread, without_xla

__all__ = ["one_thread", "without_xla"]
