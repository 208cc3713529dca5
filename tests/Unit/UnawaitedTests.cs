using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Grains;
using Xunit;

namespace Unit;

/// <summary>What nobody awaits goes through <see cref="Unawaited"/>: this reads the compiled code of the product.</summary>
public sealed class UnawaitedTests
{
    private static readonly Assembly[] s_product =
    [
        typeof(Unawaited).Assembly,
        typeof(Grains.Interfaces.Orders.OrderId).Assembly,
        typeof(global::Silo.StartUp.About).Assembly,
        typeof(global::Client.Shell.ExitCode).Assembly,
    ];

    [Fact]
    public void NoMethodOfTheProductIsAsyncVoid() => Assert.Empty(s_product.SelectMany(AsyncVoidMethods));

    [Fact]
    public void NoCallOfTheProductDropsATask() =>
        Assert.DoesNotContain(s_product.SelectMany(DroppedTasks), found =>
            !found.Contains(typeof(Unawaited).FullName!, StringComparison.Ordinal)
        );

    [Fact]
    public void TheReaderFindsAsyncVoidInMethodsAndInLambdas()
    {
        var found = AsyncVoidMethods(typeof(UnawaitedTests).Assembly).ToArray();

        Assert.Contains(found, name => name.Contains(nameof(Examples.AsyncVoid), StringComparison.Ordinal));
        Assert.Contains(found, name => name.Contains(nameof(Examples.AsyncCallback), StringComparison.Ordinal));
    }

    [Fact]
    public void TheReaderFindsADroppedTaskWhateverItsForm()
    {
        var found = DroppedTasks(typeof(UnawaitedTests).Assembly).ToArray();

        Assert.Contains(found, name => name.Contains(nameof(Examples.Discard), StringComparison.Ordinal));
        Assert.Contains(found, name => name.Contains(nameof(Examples.Statement), StringComparison.Ordinal));
        Assert.Contains(found, name => name.Contains(nameof(Examples.Continue), StringComparison.Ordinal));
        Assert.DoesNotContain(found, name => name.Contains(nameof(Examples.Awaited), StringComparison.Ordinal));
    }

    private static IEnumerable<string> AsyncVoidMethods(Assembly assembly) =>
        Methods(assembly)
            .Where(method =>
                method is MethodInfo { ReturnType: var type }
                && type == typeof(void)
                && method.IsDefined(typeof(AsyncStateMachineAttribute), inherit: false)
            )
            .Select(Name);

    private static IEnumerable<string> DroppedTasks(Assembly assembly) =>
        Methods(assembly).Where(method => Instructions.DropsATask(method)).Select(Name);

    private static IEnumerable<MethodBase> Methods(Assembly assembly)
    {
        const BindingFlags Own =
            BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        return assembly.GetTypes().SelectMany(type => type.GetMethods(Own).Concat<MethodBase>(type.GetConstructors(Own)));
    }

    private static string Name(MethodBase method) => $"{method.DeclaringType!.FullName}.{method.Name}";

    /// <summary>The instructions of a method, read as ECMA-335 §III lays them out.</summary>
    private static class Instructions
    {
        private static readonly Dictionary<int, OpCode> s_codes = typeof(OpCodes)
            .GetFields()
            .Select(field => (OpCode)field.GetValue(null)!)
            .ToDictionary(code => code.Value & 0xFFFF);

        /// <summary>Whether the method calls something that returns a task, and drops it at once.</summary>
        public static bool DropsATask(MethodBase method)
        {
            var bytes = method.GetMethodBody()?.GetILAsByteArray() ?? [];
            var isTask = false;
            for (var at = 0; at < bytes.Length; )
            {
                var code = s_codes[bytes[at] == 0xFE ? 0xFE00 | bytes[++at] : bytes[at]];
                at++;
                if (code == OpCodes.Pop && isTask)
                {
                    return true;
                }

                isTask =
                    code.OperandType == OperandType.InlineMethod
                        ? code != OpCodes.Ldftn && IsTask(Called(method, BitConverter.ToInt32(bytes, at)))
                        : isTask && code == OpCodes.Nop;
                at += OperandBytes(code, bytes, at);
            }

            return false;
        }

        private static MethodBase Called(MethodBase method, int token) =>
            method.Module.ResolveMethod(
                token,
                method.DeclaringType!.GetGenericArguments(),
                method.IsGenericMethod ? method.GetGenericArguments() : []
            )!;

        private static bool IsTask(MethodBase called)
        {
            var type = called is MethodInfo { ReturnType: var returned } ? returned : called.DeclaringType!;
            type = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
            return typeof(Task).IsAssignableFrom(type)
                || type == typeof(Task<>)
                || type == typeof(ValueTask)
                || type == typeof(ValueTask<>);
        }

        private static int OperandBytes(OpCode code, byte[] bytes, int at) =>
            code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(bytes, at)),
                _ => 4,
            };
    }

    /// <summary>What must not stand in the product.</summary>
    private static class Examples
    {
        public static async void AsyncVoid() => await Task.FromResult(1);

        public static void AsyncCallback(List<int> numbers) => numbers.ForEach(async number => await Task.FromResult(number));

        public static void Discard() => _ = Task.FromResult(1);

#pragma warning disable CS4014 // This is the mistake that is looked for.
        public static void Statement() => Awaited();
#pragma warning restore CS4014

        public static void Continue(Task task) => task.ContinueWith(_ => { }, TaskScheduler.Default);

        public static async Task Awaited() => await Task.FromResult(1);
    }
}
