"""Rules of our own for the template, which cfn-lint takes in with `-a tools/template_rules`."""
