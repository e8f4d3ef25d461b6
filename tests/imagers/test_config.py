"""The imagers' file: read strictly."""

import pytest

from device_models.imagers.config import BUILT_IN, load_imagers


@pytest.mark.parametrize("old, new, says", [
    ("columns: 2048", "columns: -1", "kv.panel.columns"), ("ahead_deg: 90.0", "ahead: 90.0", "kv.ahead"),
    ("[80.0, 0.0227", "[60.0, 0.0227", "kV must ascend"), ("kv:", "kv: [", "cannot be read"),
])
def test_a_wrong_value_is_named(tmp_path, old, new, says):
    path = tmp_path / "imagers.yaml"
    path.write_text(BUILT_IN.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=says):
        load_imagers(path)
