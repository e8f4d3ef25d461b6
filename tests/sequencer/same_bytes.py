"""Prints the digest of one image-guided session, for test_image_guided.py to compare across processes."""

import sys

from tests.sequencer.guided import guided, room
from tests.support import digest_of

if __name__ == "__main__":
    sys.stdout.write(digest_of(guided(), prepared=room()))
