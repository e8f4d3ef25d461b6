"""A Beam as an item of BeamSequence. A control point repeats only what changed (PS3.3 C.8.8.14.5)."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from linac_ctl.plan.make.dicom_values import decimal, decimals
from linac_ctl.plan.model import Beam, Floats


def beam_item(beam: Beam, energy_mv: float, fff: bool) -> Dataset:
    """The whole beam."""
    item = Dataset()
    item.TreatmentMachineName = beam.machine_name
    item.Manufacturer = "linac-ctl"
    item.ManufacturerModelName = "SIMULATOR"
    item.PrimaryDosimeterUnit = "MU"
    item.SourceAxisDistance = decimal(beam.sad_mm)
    item.BeamLimitingDeviceSequence = Sequence(_devices(beam))
    item.BeamNumber = beam.number
    item.BeamName = beam.name
    item.BeamType = beam.beam_type
    item.RadiationType = "PHOTON"
    item.PrimaryFluenceModeSequence = Sequence([_fluence(fff)])
    item.TreatmentDeliveryType = "TREATMENT"
    item.NumberOfWedges = item.NumberOfCompensators = item.NumberOfBoli = item.NumberOfBlocks = 0
    item.FinalCumulativeMetersetWeight = decimal(1.0)
    item.NumberOfControlPoints = len(beam.cumulative_mu)
    item.ControlPointSequence = Sequence([_point(beam, i, energy_mv) for i in range(len(beam.cumulative_mu))])
    item.ReferencedPatientSetupNumber = 1
    item.ReferencedToleranceTableNumber = 1
    return item


def _fluence(fff: bool) -> Dataset:
    item = Dataset()
    item.FluenceMode = "NON_STANDARD" if fff else "STANDARD"
    if fff:
        item.FluenceModeID = "FFF"
    return item


def _devices(beam: Beam) -> list[Dataset]:
    names = [name for name, column in (("ASYMX", 0), ("ASYMY", 2)) if not np.isnan(beam.jaw_mm[0, column])]
    items = [_device(name, 1) for name in names]
    if beam.leaf_boundaries_mm is not None:
        leaves = _device("MLCX", len(beam.leaf_boundaries_mm) - 1)
        leaves.LeafPositionBoundaries = decimals(beam.leaf_boundaries_mm)
        items.append(leaves)
    return items


def _device(name: str, pairs: int) -> Dataset:
    item = Dataset()
    item.RTBeamLimitingDeviceType = name
    item.NumberOfLeafJawPairs = pairs
    return item


def _point(beam: Beam, i: int, energy_mv: float) -> Dataset:
    item = Dataset()
    item.ControlPointIndex = i
    if i == 0:
        _stand(item, beam, energy_mv)
    positions = _positions(beam, i)
    if positions:
        item.BeamLimitingDevicePositionSequence = Sequence(positions)
    if i == 0 or _turns(beam.gantry_deg):
        item.GantryAngle = decimal(float(beam.gantry_deg[i]) % 360.0)
        item.GantryRotationDirection = _way(beam.gantry_deg, i)
    item.CumulativeMetersetWeight = decimal(float(beam.cumulative_mu[i]) / beam.mu)
    return item


def _stand(item: Dataset, beam: Beam, energy_mv: float) -> None:
    """What is said once, at control point 0."""
    item.NominalBeamEnergy = decimal(energy_mv)
    item.DoseRateSet = decimal(beam.dose_rate_mu_per_min or 0.0)
    item.BeamLimitingDeviceAngle = decimal(float(beam.collimator_deg[0]) % 360.0)
    item.BeamLimitingDeviceRotationDirection = "NONE"
    item.PatientSupportAngle = decimal(float(beam.couch[0, 3]) % 360.0)
    item.PatientSupportRotationDirection = "NONE"
    item.TableTopEccentricAngle = decimal(0.0)
    item.TableTopEccentricRotationDirection = "NONE"
    for keyword, column in (("Vertical", 2), ("Longitudinal", 1), ("Lateral", 0)):
        setattr(item, f"TableTop{keyword}Position", decimal(float(beam.couch[0, column])))
    item.TableTopPitchAngle = item.TableTopRollAngle = 0.0
    item.TableTopPitchRotationDirection = item.TableTopRollRotationDirection = "NONE"
    item.IsocenterPosition = decimals(np.array(beam.isocentre_mm))


def _turns(gantry_deg: Floats) -> bool:
    return bool((np.diff(gantry_deg) != 0.0).any())


def _way(gantry_deg: Floats, i: int) -> str:
    step = float(gantry_deg[i + 1] - gantry_deg[i]) if i + 1 < len(gantry_deg) else 0.0
    return "CW" if step > 0.0 else "CC" if step < 0.0 else "NONE"


def _positions(beam: Beam, i: int) -> list[Dataset]:
    items = []
    for name, columns in (("ASYMX", slice(0, 2)), ("ASYMY", slice(2, 4))):
        pair = beam.jaw_mm[i, columns]
        if not np.isnan(pair).any() and (i == 0 or (pair != beam.jaw_mm[i - 1, columns]).any()):
            items.append(_position(name, pair))
    if beam.leaf_mm is not None and (i == 0 or (beam.leaf_mm[i] != beam.leaf_mm[i - 1]).any()):
        pairs = beam.leaf_mm.shape[1] // 2
        items.append(_position("MLCX", np.concatenate([beam.leaf_mm[i, pairs:], beam.leaf_mm[i, :pairs]])))
    return items


def _position(name: str, values: Floats) -> Dataset:
    item = Dataset()
    item.RTBeamLimitingDeviceType = name
    item.LeafJawPositions = decimals(values)
    return item
