using Silo.Page.Sessions;
using Xunit;

namespace Unit.Silo.Page;

public sealed class OutcomesTests
{
    private readonly Outcomes _outcomes = new();

    [Fact]
    public void TheLastThreeOutcomesAreKeptAndTheNewestComesFirst()
    {
        foreach (var label in (string[])["a", "b", "c", "d"])
        {
            Add(label, "done");
        }

        Assert.Equal(["d", "c", "b"], _outcomes.All.Select(outcome => outcome.Label));
    }

    [Fact]
    public void ASecondTryOfAnActionTakesThePlaceOfTheFirst()
    {
        Add("a", "refused");
        Add("b", "done");
        Add("a", "done");

        Assert.Equal([("a", "done"), ("b", "done")], _outcomes.All.Select(outcome => (outcome.Label, outcome.Result.Sentence)));
    }

    private void Add(string label, string sentence) => _outcomes.Add(new(label, $"do {label}", ActionResult.Done(sentence)));
}
