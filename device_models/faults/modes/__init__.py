"""The catalogue of fault modes: one family per file, ids as in the taxonomy, never reused."""

from .catalogue import catalogue as catalogue
from .catalogue import find as find
