"""From labelled customers to a model that may go into service: data set, fit, evaluation, gate, report."""
