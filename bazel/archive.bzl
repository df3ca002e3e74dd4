"""wend_archive: one static library out of a target and all it depends on.

A cc_library's archive holds its own objects only; a user who links by hand
wants a single file.  The archives are taken from the target's linking context,
so a new package is in as soon as something depends on it, and none has to be
listed here.  Libraries of the system stay -l options (see tools/install.sh).

An archive without PIC is taken where there is one: Debian's gcc compiles for
position-independent executables by default, and Bazel makes a separate PIC
archive only where it also links a shared library.
"""

load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")

def _archives(target):
    found = {}
    for linker_input in target[CcInfo].linking_context.linker_inputs.to_list():
        if linker_input.owner.package.startswith("third_party"):
            continue
        for library in linker_input.libraries:
            archive = library.static_library or library.pic_static_library
            if archive:
                found[archive.path] = archive
    return found.values()

def _wend_archive_impl(ctx):
    archives = _archives(ctx.attr.lib)
    out = ctx.outputs.out

    # D: no times or owners, so that the same sources give the same bytes.
    script = ["create " + out.path]
    script += ["addlib " + a.path for a in archives]
    script += ["save", "end"]
    ctx.actions.run_shell(
        inputs = archives,
        outputs = [out],
        command = "ar -MD <<'EOF'\n" + "\n".join(script) + "\nEOF\n",
        mnemonic = "WendArchive",
        progress_message = "Merging %d archives into %s" %
                           (len(archives), out.short_path),
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]))]

wend_archive = rule(
    implementation = _wend_archive_impl,
    attrs = {
        "lib": attr.label(mandatory = True, providers = [CcInfo]),
        "out": attr.output(mandatory = True),
    },
)
