"""Small CT series and structure sets, as a planning system would export them."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.543."
FRAME, SERIES, STUDY = ROOT + "1", ROOT + "2", ROOT + "3"
CT, RTSTRUCT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.3"


def base(sop_class, uid):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = sop_class, uid, ExplicitVRLittleEndian
    ds = Dataset()
    ds.file_meta, ds.SOPClassUID, ds.SOPInstanceUID = meta, sop_class, uid
    ds.PatientID, ds.PatientName, ds.StudyInstanceUID = "P1", "Phantom^One", STUDY
    return ds


def ct_slice(k, z_mm, pixels, **changes):
    """One slice; changes are attributes, None removes one."""
    ds = base(CT, f"{ROOT}100.{k}")
    ds.Modality, ds.SeriesInstanceUID, ds.FrameOfReferenceUID, ds.PatientPosition, ds.InstanceNumber = "CT", SERIES, FRAME, "HFS", k
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-20.0, -30.0, z_mm], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [2.0, 1.0], 3.0
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1000
    ds.PixelData = pixels.astype("<i2").tobytes()
    for name, value in changes.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    return ds


def blob(k):
    """(25, 40): a bright pixel block at column 30, row 10 of slice 4: LPS (10, -10, 12) for first slice at z = 0."""
    pixels = np.zeros((25, 40), np.int16)
    if k == 4:
        pixels[10, 30] = 2000
    return pixels


def series(folder: Path, count=9, changes=None, skip=()):
    """A series of `count` slices 3 mm apart; changes: {slice: {attribute: value}}."""
    folder.mkdir(exist_ok=True)
    for k in range(count):
        if k not in skip:
            save(ct_slice(k, 3.0 * k, blob(k), **(changes or {}).get(k, {})), folder / f"ct{k}.dcm")
    return folder


def structure_set(path: Path, rois=(("CTV", "CTV", None),), frame=FRAME, series_uid=SERIES, patient="P1", kind="CLOSED_PLANAR"):
    """ROIs: name, type and contours (lists of LPS points); None draws a square in three slices."""
    ds = base(RTSTRUCT, ROOT + "200")
    ds.Modality, ds.PatientID, ds.StructureSetLabel = "RTSTRUCT", patient, "S"
    ref, study, one = Dataset(), Dataset(), Dataset()
    one.SeriesInstanceUID = series_uid
    study.RTReferencedSeriesSequence = Sequence([one])
    ref.FrameOfReferenceUID, ref.RTReferencedStudySequence = frame, Sequence([study])
    ds.ReferencedFrameOfReferenceSequence = Sequence([ref])
    drawn = [[[5, -15, z], [15, -15, z], [15, -5, z], [5, -5, z]] for z in (9, 12, 15)]
    sets, contours, seen = [], [], []
    for number, (name, of_type, given) in enumerate(rois, 1):
        roi, item, observation = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame
        parts = []
        for points in drawn if given is None else given:
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = kind, len(points)
            contour.ContourData = [v for point in points for v in point]
            parts.append(contour)
        item.ReferencedROINumber, item.ContourSequence = number, Sequence(parts)
        observation.ObservationNumber, observation.ReferencedROINumber, observation.RTROIInterpretedType = number, number, of_type
        observation.ROIInterpreter = ""
        sets.append(roi)
        contours.append(item)
        seen.append(observation)
    ds.StructureSetROISequence, ds.ROIContourSequence = Sequence(sets), Sequence(contours)
    ds.RTROIObservationsSequence = Sequence(seen)
    save(ds, path)
    return path


def save(ds, path):
    """As a DICOM file, by pydicom 2 and 3 alike."""
    import pydicom

    if int(pydicom.__version__.split(".")[0]) >= 3:
        ds.save_as(path, enforce_file_format=True)
    else:
        ds.is_little_endian, ds.is_implicit_VR = True, False
        ds.save_as(path, write_like_original=False)
