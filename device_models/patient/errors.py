"""What cannot be a patient."""


class PatientError(ValueError):
    """Images, structures or a motion that do not make one patient; the message says which file or value, and what to do."""
