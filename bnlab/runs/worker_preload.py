"""What the process does from which workers are forked: import TensorFlow, once for all of them.

It has no threads of TensorFlow's, which would not survive the fork, as long as no tensor is made here.
"""

from bnlab.runs.worker import import_tensorflow, lower_priority

lower_priority()
import_tensorflow()
