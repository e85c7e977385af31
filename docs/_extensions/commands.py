"""The directive ``mlpxp-commands``: every command of the program, its arguments and its options, as its ``--help`` has them."""

import typer.main
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from mlpxp.cli._app import app as program


class Commands(SphinxDirective):
    """One section a command; those of a group one after the other."""

    def run(self):
        """Make the sections from the tree of commands."""
        self.env.note_dependency(__file__)
        root = typer.main.get_command(program)
        return list(self.sections(root, root.make_context("mlpxp", [], resilient_parsing=True)))

    def sections(self, group, above):
        """Yield a section for each command of a group, groups within it flattened."""
        for name in group.list_commands(above):
            command = group.get_command(above, name)
            context = command.make_context(name, [], parent=above, resilient_parsing=True)
            yield self.section(command, context)
            if hasattr(command, "list_commands"):
                yield from self.sections(command, context)

    def section(self, command, context):
        """What ``--help`` says of one command."""
        title = context.command_path
        section = nodes.section(ids=[nodes.make_id(title)], names=[nodes.fully_normalize_name(title)])
        section += nodes.title(title, title)
        for text in (command.help or "").split("\n\n"):
            section += nodes.paragraph(text, " ".join(text.split()))
        usage = " ".join((title, *command.collect_usage_pieces(context)))
        section += nodes.literal_block(usage, usage, language="none")
        panels = {}
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
                panels.setdefault(getattr(parameter, "rich_help_panel", None) or kind, []).append(record)
        for panel, records in panels.items():
            section += nodes.rubric(panel, panel)
            listed = nodes.definition_list(classes=["options"])
            for names, text in records:
                item = nodes.definition_list_item()
                item += nodes.term("", "", nodes.literal(names, names))
                item += nodes.definition("", nodes.paragraph(text, text))
                listed += item
            section += listed
        return section


def setup(app):
    """Tell Sphinx."""
    app.add_directive("mlpxp-commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
