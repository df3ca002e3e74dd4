"""Stand-ins for repositories that old Bazel would download.

Only WORKSPACE loads this file, so only Bazel <= 6 ever sees it.

Debian's Bazel 4.2.3 wants three repositories from the network before it can
analyse a single cc_* or sh_test target:
  @rules_cc, @rules_java     loaded by @bazel_tools//tools/{cpp,jdk}
  @remote_coverage_tools     an implicit dependency of every test rule
and our own BUILD files load sh_* rules from @rules_shell, which did not exist
then.  All of them are generated locally here: the rules themselves are built
into that Bazel, so each stand-in only gives them their modern load() path.
"""

def _shim_impl(ctx):
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    for path, content in ctx.attr.files.items():
        ctx.file(path, content, executable = False)
    for label, path in ctx.attr.links.items():
        ctx.symlink(label, path)

_shim = repository_rule(
    implementation = _shim_impl,
    local = True,
    attrs = {
        "files": attr.string_dict(),
        "links": attr.label_keyed_string_dict(allow_files = True),
    },
)

def _reexport(*names):
    return "".join(["%s = native.%s\n" % (n, n) for n in names])

_PUBLIC = "package(default_visibility = [\"//visibility:public\"])\n"

_COVERAGE_BUILD = _PUBLIC + """
sh_binary(name = "lcov_merger", srcs = ["coverage_merger.py"])
sh_binary(name = "coverage_report_generator", srcs = ["coverage_merger.py"])
"""

def _maybe_shim(name, **kwargs):
    if not native.existing_rule(name):
        _shim(name = name, **kwargs)

def bazel_compat():
    # Only fetched by --config=gtest-source.
    if not native.existing_rule("googletest"):
        native.new_local_repository(
            name = "googletest",
            path = "/usr/src/googletest",
            build_file = "//bazel:googletest.BUILD",
        )

    _maybe_shim(
        name = "rules_shell",
        files = {
            "BUILD": "",
            "shell/BUILD": "",
            "shell/sh_binary.bzl": _reexport("sh_binary"),
            "shell/sh_library.bzl": _reexport("sh_library"),
            "shell/sh_test.bzl": _reexport("sh_test"),
        },
    )

    # Debian's build reports an empty version string.
    version = native.bazel_version
    if version and int(version.split(".")[0]) > 4:
        return  # 5 and 6 fetch matching rules_cc/rules_java/... themselves

    _maybe_shim(
        name = "rules_cc",
        files = {
            "BUILD": "",
            "cc/BUILD": "",
            # In two steps: a file cannot bind a builtin's name and read it.
            "cc/common/BUILD": "",
            "cc/common/builtin.bzl": "cc_info = CcInfo\nall = cc_common\n",
            "cc/common/cc_common.bzl": """load(":builtin.bzl", "all")
cc_common = all
""",
            "cc/common/cc_info.bzl": """load(":builtin.bzl", "cc_info")
CcInfo = cc_info
""",
            "cc/defs.bzl": _reexport(
                "cc_binary",
                "cc_import",
                "cc_library",
                "cc_proto_library",
                "cc_test",
                "cc_toolchain",
                "cc_toolchain_suite",
                "objc_import",
                "objc_library",
            ),
        },
    )
    _maybe_shim(
        name = "rules_java",
        files = {
            "BUILD": "",
            "java/BUILD": "",
            "java/defs.bzl": _reexport(
                "java_binary",
                "java_import",
                "java_library",
                "java_runtime",
                "java_test",
                "java_toolchain",
            ),
        },
    )
    _maybe_shim(
        name = "remote_coverage_tools",
        files = {"BUILD": _COVERAGE_BUILD},
        links = {"//bazel:coverage_merger.py": "coverage_merger.py"},
    )
