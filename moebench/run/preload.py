"""What a process of workers imports, with the garbage collector off meanwhile.

The collector would look through all modules again and again, and find that none is garbage. Frozen,
they are no concern of the workers' own collections either.
"""

import gc

gc.disable()
try:
    from moebench.run.worker import main as main

    gc.freeze()
finally:
    gc.enable()
