/* Put before each file by -include: _FORTIFY_SOURCE, where it works (it needs optimisation) and nobody has chosen it. */
#if defined __OPTIMIZE__ && !defined _FORTIFY_SOURCE
#if defined __has_builtin
#if __has_builtin(__builtin_dynamic_object_size)
#define _FORTIFY_SOURCE 3
#endif
#endif
#ifndef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#endif
#endif
