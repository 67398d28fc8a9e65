/* A program's start, for `-Wl,--wrap=__libc_start_main`. Since 2.34 the library runs the program's constructors by itself and
   crt1.o hands over none; before, it ran what crt1.o handed over. Rust keeps the program's arguments in a constructor. */

typedef void constructor(int, char **, char **);
typedef int main_function(int, char **, char **);

__attribute__((visibility("hidden"))) extern constructor *__init_array_start[], *__init_array_end[];

static void constructors(int count, char **arguments, char **environment) {
    for (constructor **next = __init_array_start; next != __init_array_end; next++) (*next)(count, arguments, environment);
}

__attribute__((visibility("hidden"))) int __wrap___libc_start_main(
    main_function *main, int count, char **arguments, constructor *init, void (*fini)(void), void (*loader_fini)(void), void *stack) {
    /* The wrapped name; the linker binds it to the library's. */
    extern int __real___libc_start_main(main_function *, int, char **, constructor *, void (*)(void), void (*)(void), void *);
    return __real___libc_start_main(main, count, arguments, init ? init : constructors, fini, loader_fini, stack);
}
