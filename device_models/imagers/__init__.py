"""The imagers that are not there: kV source and panel, MV panel, and the projections of a patient that they really see."""
