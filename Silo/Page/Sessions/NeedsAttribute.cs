using Grains.Interfaces.Keys;

namespace Silo.Page.Sessions;

/// <summary>A view's rule: this role at least. One without it is for readers.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsAttribute(ApiRole role) : Attribute
{
    public ApiRole Role => role;

    /// <summary>The role that a view needs; null for one that is open to everybody.</summary>
    public static ApiRole? Of(Type view) =>
        view.IsDefined(typeof(OpenToEverybodyAttribute), inherit: false) ? null
        : view.GetCustomAttributes(typeof(NeedsAttribute), inherit: false) is [NeedsAttribute needs] ? needs.Role
        : ApiRole.Reader;
}

/// <summary>A view's rule: nobody has to log in for it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OpenToEverybodyAttribute : Attribute;
