"""The patient who is not there: a phantom or an imported CT, and where it really is. The controller never looks in here."""
