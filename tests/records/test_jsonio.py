"""What the record's JSON looks like: compact, in order, null for what is no number."""

import json
from collections.abc import Mapping

import numpy as np

from linac_ctl.records.jsonio import dumps, plain


class Given(Mapping):
    """A mapping that is no dict."""

    def __getitem__(self, key):
        return {"a": 1}[key]

    def __iter__(self):
        return iter(["a"])

    def __len__(self):
        return 1


def test_every_kind_of_value_is_written_as_json_has_it():
    value = {"text": "Gantry \u00b0", "n": 3, "yes": True, "none": None, 4: (1.5, float("nan"), np.float64("inf")),
             "array": np.array([[1, 2]]), "one": np.int64(7), "so": np.bool_(True), "map": Given()}
    assert dumps(value) == ('{"text":"Gantry \u00b0","n":3,"yes":true,"none":null,"4":[1.5,null,null],"array":[[1,2]],"one":7,'
                            '"so":true,"map":{"a":1}}')
    assert json.loads(dumps(value, indent=1)) == plain(value)
