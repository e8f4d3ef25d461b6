"""From frames to a match and a couch target: pure functions of arrays and of what the controller was told.

Everything lives in the IEC 61217 fixed frame in mm and degrees: for a head-first supine patient at couch 0, X is the
patient's left, Y superior, Z anterior. Volumes are arrays `[x, z, y]` (Y, the gantry axis, contiguous); radiographs
are `[u, v]` (v, along Y, contiguous). The position of the patient is `Pose`: r = R p + t, R = Rz Ry Rx.
"""
