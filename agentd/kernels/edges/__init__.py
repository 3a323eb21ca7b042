"""What a file alone knows of each call, base and import in it: a pure function of what its query captured.

A document is found by its **module key**: its importable path with the segments reversed, each followed by ``/``, and
one more ``/`` for the root. An ``Edge.module`` is a prefix of such keys, so that ``requests.sessions`` is found in
whatever folder the package lies: ``sessions/requests/`` begins ``sessions/requests/src//``. A relative import is
resolved against the file that holds it and ends in ``//``, which only the exact key begins with.

Where the file does not tell whether the last name of an import is a member or a module (``from a import b``), the edge
says member: ``b`` in ``a/``. Whoever follows it and finds no such member tries the module ``b/a/``.
"""

from agentd.kernels.edges.build import edges
from agentd.kernels.edges.modules import module_key

__all__ = ["edges", "module_key"]
