"""TensorFlow on one thread, as in a worker, before any test touches it."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from bnlab.training.threads import use_one_thread

use_one_thread()
