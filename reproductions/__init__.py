"""Papers as data: their claims, the runs that judge them, the differences, the evidence."""

from pkgutil import extend_path

# Papers of one's own are found in any other folder `reproductions` on the path, too.
__path__ = extend_path(__path__, __name__)
