"""One row of the record: what was asked and what is, all axes, every second cycle. Columns: `state.columns`."""

from device_models.interface.compiled import compiled

from .phases import Event, Phase
from .signals import Signal

ROWS_FULL, BEAM = int(Event.ROWS_FULL), int(Phase.BEAM)


@compiled
def write_axes(row, column, wires):
    """Setpoint and readback of a device; -> next free column."""
    for i in range(wires.size):
        row[column + 2 * i] = wires[i].setpoint
        row[column + 2 * i + 1] = wires[i].readback
    return column + 2 * wires.size


@compiled
def control_point(job, trajectory):
    """Fractional control point of the plan."""
    s = job.segment
    width = trajectory.mu[s + 1] - trajectory.mu[s]
    f = (job.expected_mu - trajectory.mu[s]) / width if width > 0.0 else 0.0
    return trajectory.point[s] + max(min(f, 1.0), 0.0) * (trajectory.point[s + 1] - trajectory.point[s])


@compiled
def write_job(row, control, image):
    """The leading columns."""
    job, signals = control.job[0], control.signals
    row[0], row[1], row[2] = job.cycle, job.phase, job.beam_number
    row[3] = control_point(job, control.trajectory)
    row[4], row[5] = job.permit, job.hold
    row[6], row[7] = job.rate_mu_per_s, job.expected_mu
    row[8], row[9] = signals[Signal.MU_1], signals[Signal.MU_2]
    row[10], row[11] = job.reactions, image.room[0].clearance_mm


@compiled
def write_row(control, image):
    """-> ROWS_FULL when this row was the last that fits; nothing is written where there is no room."""
    job = control.job[0]
    if job.row >= control.rows.shape[0]:
        return ROWS_FULL
    row = control.rows[job.row]
    write_job(row, control, image)
    column = write_axes(row, 12, image.gantry)
    column = write_axes(row, column, image.collimator)
    column = write_axes(row, column, image.jaws)
    column = write_axes(row, column, image.mlc)
    column = write_axes(row, column, image.carriages)
    column = write_axes(row, column, image.couch)
    column = write_axes(row, column, image.kv_arms)
    write_axes(row, column, image.mv_arm)
    job.row += 1
    return ROWS_FULL if job.row >= control.rows.shape[0] else 0
