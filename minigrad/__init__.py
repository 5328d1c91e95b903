"""A tiny NumPy autograd engine to be read. Reading order:

ops/           the table of primitives: each is a forward with its vector-Jacobian products beside it
tensor.py      Tensor: data, grad, how it was made
autograd.py    backward, grad, no_grad
observe.py     trace, detect_anomaly: watching the engine
functional.py  functions made of primitives
kernels.py     our jit, expf, Adam in one pass (numba is imported when first needed)
nn.py          Module, Parameter, layers, initialisers
optim.py       optimisers, schedules, clipping
gradcheck.py   every gradient against central differences
datasets/      the binarised MNIST; a loader for files that a user brings
checkpoint.py  saving and loading: one atomic file without pickle
training.py    the loop: progress, early stopping, exact resume
plot.py        image grids, learning curves, the graph itself (matplotlib is imported when first needed)
"""

import numpy as _np

# NumPy's temporaries of more than 128 KiB go back to the kernel as soon as they are freed, and are faulted in again,
# page by page, when next needed: half of a training step's time. Freeing one large block raises glibc's threshold to
# its size, for good. On other systems this line does nothing.
_np.empty(31 * 2**20, _np.uint8)

from . import checkpoint, datasets, functional, nn, ops, optim, training  # noqa: E402
from .autograd import grad, no_grad  # noqa: E402
from .gradcheck import gradcheck  # noqa: E402
from .nn import Module, Parameter  # noqa: E402
from .observe import detect_anomaly, trace  # noqa: E402
from .tensor import Tensor  # noqa: E402

__version__ = "0.1.0"
