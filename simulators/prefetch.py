"""Ask the processor for memory that will be needed soon, from compiled code.

The users of a large population do not fit the processor's caches, so that a visit waits for
memory and not for arithmetic, unless it is asked for some users ahead.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]  it has none
from numba import types  # pyright: ignore[reportMissingTypeStubs]  it has none
from numba.core import cgutils  # pyright: ignore[reportMissingTypeStubs]  it has none
from numba.extending import intrinsic  # pyright: ignore[reportMissingTypeStubs]  it has none

_READ, _KEEP, _DATA = 0, 3, 1  # arguments of LLVM's prefetch: for reading, in all caches, data


def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = cgutils.create_struct_proxy(array)(context, builder, arguments[0]).data
        position = context.cast(builder, arguments[1], index, types.intp)
        byte = ir.PointerType(ir.IntType(8))
        address = builder.bitcast(builder.gep(data, [position]), byte)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        settings = [ir.Constant(number, value) for value in (_READ, _KEEP, _DATA)]
        builder.call(function, [address, *settings])
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch: Callable[[Any, Any], None] = cast(Any, intrinsic(_prefetch))
"""Fetch the cache line of ``array[index]``; it changes nothing, and any index is safe."""
