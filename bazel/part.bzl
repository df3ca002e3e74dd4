"""wend_part: what a target links beyond another one.

A library of its own beside libwend (libwend-tls, say) must not have libwend's
objects in it once more: a program would have two of them.  This is a target
with what `lib` links and `base` does not, to make the library of.
"""

load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")

def _inputs(target):
    return target[CcInfo].linking_context.linker_inputs.to_list()

def _wend_part_impl(ctx):
    base = {str(i.owner): True for i in _inputs(ctx.attr.base)}
    own = [i for i in _inputs(ctx.attr.lib) if str(i.owner) not in base]
    return [CcInfo(linking_context = cc_common.create_linking_context(
        linker_inputs = depset(own),
    ))]

wend_part = rule(
    implementation = _wend_part_impl,
    attrs = {
        "base": attr.label(mandatory = True, providers = [CcInfo]),
        "lib": attr.label(mandatory = True, providers = [CcInfo]),
    },
)
